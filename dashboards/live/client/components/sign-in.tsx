import { useState } from "preact/hooks";

import { api, ApiError } from "../api.js";
import { store } from "../store.js";
import { Icon } from "./icon.js";

export function SignIn() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const signIn = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await api.login(token);
      await store.reload();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void signIn(event)}>
        <div class="brand">
          <Icon name="pulse" />
          <span>Fraud watch</span>
        </div>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="current-password"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
          autoFocus
          required
        />
        <button type="submit" class="button primary">
          Sign in
        </button>
        <p class="problem" role="alert">
          {problem}
        </p>
      </form>
    </main>
  );
}
