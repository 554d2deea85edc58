// contract.mjs over HTTP and JSON.
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { checkToken, Refusal, rpcs } from './contract.mjs';

const server = createServer(async (request, response) => {
  const send = (status, body) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  try {
    const name = /^\/v1\/personal-data:(\w+)$/.exec(request.url)?.[1] ?? '';
    const rpc = Object.keys(rpcs).find((candidate) => candidate.toLowerCase() === name);
    if (rpc === undefined) throw new Refusal(501, 'unimplemented');
    const call = await json(request);
    checkToken(request.headers.authorization, rpc, call.requestId);
    send(200, rpcs[rpc](call));
  } catch (error) {
    // Never the error's own text: it may quote personal data.
    const { status, code } = error instanceof Refusal ? error : { status: 500, code: 'internal' };
    send(status, { code });
  }
});
server.listen(Number(process.env.PORT ?? 1338), () => console.log(`listens on ${server.address().port}`));
