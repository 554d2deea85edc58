// contract.mjs over gRPC, with grpc-js and the proto file.
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { checkToken, Refusal, rpcs } from './contract.mjs';

const protos = fileURLToPath(new URL('../../packages/contract/proto', import.meta.url));
const options = { includeDirs: [protos], enums: String, defaults: true };
const { habeas } = grpc.loadPackageDefinition(loadSync('habeas/pd/v1/pd_client.proto', options));

/** google.protobuf.Struct as grpc-js wants it; all values here are texts. */
const struct = (row) => ({
  fields: Object.fromEntries(Object.entries(row).map(([name, text]) => [name, { stringValue: text }])),
});

const handle = (rpc) => async (call, done) => {
  try {
    checkToken(call.metadata.get('authorization')[0], rpc, call.request.requestId);
    const answer = rpcs[rpc](call.request);
    const records = answer.records?.map(({ collection, row }) => ({ collection, row: struct(row) }));
    done(null, { ...answer, records });
  } catch (error) {
    const code = error instanceof Refusal ? grpc.status[error.code.toUpperCase()] : grpc.status.INTERNAL;
    done({ code, details: 'refused' });
  }
};

const server = new grpc.Server();
const handlers = Object.fromEntries(Object.keys(rpcs).map((rpc) => [rpc, handle(rpc)]));
server.addService(habeas.pd.v1.PDClient.service, handlers);
const address = `0.0.0.0:${process.env.PORT ?? 1339}`;
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listens on ${port}`);
});
