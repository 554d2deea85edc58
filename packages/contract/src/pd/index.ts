/** The gRPC contract between Habeas and a service, generated from proto/; see proto/habeas/pd/v1/pd_client.proto. */
export * from './gen/google/api/annotations_pb.ts';
export type { HttpRule } from './gen/google/api/http_pb.ts';
export * as health from './gen/grpc/health/v1/health_pb.ts';
export * as reflection from './gen/grpc/reflection/v1/reflection_pb.ts';
export * as reflectionAlpha from './gen/grpc/reflection/v1alpha/reflection_pb.ts';
export * from './gen/habeas/pd/v1/pd_client_pb.ts';
