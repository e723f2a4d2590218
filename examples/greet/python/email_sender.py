"""`demo/email_sender` in Python, called by `demo/greet` in TypeScript. PROTOS names the messages' descriptors (`buf build`)."""
import os

from aiohttp import web
from google.protobuf import descriptor_pb2, message_factory
from statefun import RequestReplyHandler, StatefulFunctions, kafka_egress_message, make_protobuf_type

with open(os.environ["PROTOS"], "rb") as file:
    messages = message_factory.GetMessages(descriptor_pb2.FileDescriptorSet.FromString(file.read()).file)
Email, Any = messages["demo.v1.Email"], messages["google.protobuf.Any"]
EMAIL = make_protobuf_type(Email)  # the type name is the Any's type_url, as in TypeScript

functions = StatefulFunctions()


@functions.bind("demo/email_sender")
def email_sender(context, message):
    email = message.as_type(EMAIL)
    email.text += " (sent by Python)"
    record = Any()
    record.Pack(email)
    context.send_egress(kafka_egress_message(typename="demo/emails", topic="emails", key=context.address.id, value=record.SerializeToString()))


handler = RequestReplyHandler(functions)


async def statefun(request):
    return web.Response(body=await handler.handle_async(await request.read()), content_type="application/octet-stream")


async def healthz(_):
    return web.Response(text="ok")


app = web.Application(client_max_size=32 * 1024 * 1024)
app.add_routes([web.post("/statefun", statefun), web.get("/healthz", healthz)])
web.run_app(app, host=os.environ.get("HOST", "127.0.0.1"), port=int(os.environ.get("PORT", "8001")), keepalive_timeout=75)
