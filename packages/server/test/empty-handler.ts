/** A Fastify server with one handler that does nothing: what HTTP by itself costs. Prints its port; ends with its parent. */
import Fastify from 'fastify';

const app = Fastify();
app.post('/', async () => ({ items: [] }));
const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
process.stdout.write(`${address.port}\n`);
process.stdin.resume().on('end', () => process.exit(0));
