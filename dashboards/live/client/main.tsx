import { render } from "preact";
import { useState } from "preact/hooks";

import { useKeys } from "./keys.js";
import { Banner } from "./components/banner.js";
import { Header } from "./components/header.js";
import { HelpSheet } from "./components/help-sheet.js";
import { KpiStrip } from "./components/kpi-strip.js";
import { SignIn } from "./components/sign-in.js";
import { usePage } from "./router.js";
import { store, useStore } from "./store.js";
import { AlertsView } from "./views/alerts-view.js";
import { AuditView } from "./views/audit-view.js";
import { PipelineView } from "./views/pipeline-view.js";
import { QualityView } from "./views/quality-view.js";

function App() {
  const { connection, meta } = useStore();
  const page = usePage();
  const [help, setHelp] = useState(false);
  useKeys({ "?": () => setHelp((shown) => !shown), Escape: () => setHelp(false) });

  if (connection === "sign-in") return <SignIn />;
  return (
    <div class="shell">
      <a class="skip" href="#main">
        Skip to the alerts
      </a>
      <Header page={page} onHelp={() => setHelp(true)} />
      <Banner />
      <KpiStrip />
      <main id="main" tabIndex={-1}>
        {meta === undefined ? (
          <p class="empty">{connection === "lost" ? "The server does not answer. Trying again …" : "Loading …"}</p>
        ) : page.name === "pipeline" ? (
          <PipelineView />
        ) : page.name === "quality" ? (
          <QualityView />
        ) : page.name === "audit" ? (
          <AuditView />
        ) : (
          <AlertsView selected={page.alert} />
        )}
      </main>
      {help && <HelpSheet onClose={() => setHelp(false)} />}
    </div>
  );
}

store.start();
render(<App />, document.getElementById("app")!);
