import {
  create,
  createRegistry,
  type DescFile,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code, type ConnectRouter } from '@connectrpc/connect';
import { reflection, reflectionAlpha } from '@habeas/contract/pd';

type Asked = MessageShape<typeof reflection.ServerReflectionRequestSchema>;
type Answered = MessageShape<typeof reflection.ServerReflectionResponseSchema>;
type Content = NonNullable<
  MessageInitShape<typeof reflection.ServerReflectionResponseSchema>['messageResponse']
>;

/** gRPC server reflection, v1 and v1alpha, over `services`: what lets grpcurl and `buf curl` work without a proto file. */
export function reflectionRoutes(router: ConnectRouter, services: readonly DescService[]): void {
  const answer = reflectionOf(services);
  router.service(reflection.ServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) yield answer(request);
    },
  });
  router.service(reflectionAlpha.ServerReflection, {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        // Both versions are the same on the wire.
        const bytes = toBinary(reflectionAlpha.ServerReflectionRequestSchema, request);
        const answered = answer(fromBinary(reflection.ServerReflectionRequestSchema, bytes));
        yield fromBinary(
          reflectionAlpha.ServerReflectionResponseSchema,
          toBinary(reflection.ServerReflectionResponseSchema, answered),
        );
      }
    },
  });
}

function reflectionOf(services: readonly DescService[]): (asked: Asked) => Answered {
  const files = new Map<string, DescFile>();
  const add = (file: DescFile) => {
    files.set(`${file.name}.proto`, file);
    for (const dependency of file.dependencies) add(dependency);
  };
  for (const service of services) add(service.file);
  const registry = createRegistry(...files.values());

  /** The file and all that it imports, each before the files that need it. */
  const withImports = (file: DescFile, seen = new Set<DescFile>()): DescFile[] => {
    if (seen.has(file)) return [];
    seen.add(file);
    return [...file.dependencies.flatMap((dependency) => withImports(dependency, seen)), file];
  };
  const fileAnswer = (file: DescFile | undefined): Content => {
    if (file === undefined) return notFound();
    const fileDescriptorProto = withImports(file).map((one) =>
      toBinary(FileDescriptorProtoSchema, one.proto),
    );
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
  };
  const fileOf = (symbol: string): DescFile | undefined => {
    const found = registry.get(symbol);
    if (found !== undefined) return found.file;
    const dot = symbol.lastIndexOf('.');
    // `package.Service.Method` and `package.Message.field` lie in the file of their parent.
    return dot < 0 ? undefined : registry.get(symbol.slice(0, dot))?.file;
  };
  const extensionsOf = (typeName: string) =>
    [...registry].filter((type) => type.kind === 'extension' && type.extendee.typeName === typeName);
  const content = ({ messageRequest: asked }: Asked): Content => {
    switch (asked.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse',
          value: { service: services.map((service) => ({ name: service.typeName })) },
        };
      case 'fileByFilename':
        return fileAnswer(files.get(asked.value));
      case 'fileContainingSymbol':
        return fileAnswer(fileOf(asked.value));
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = asked.value;
        const found = extensionsOf(containingType).find(
          (type) => type.kind === 'extension' && type.number === extensionNumber,
        );
        return fileAnswer(found?.file);
      }
      case 'allExtensionNumbersOfType': {
        const numbers = extensionsOf(asked.value).flatMap((type) =>
          type.kind === 'extension' ? [type.number] : [],
        );
        if (registry.getMessage(asked.value) === undefined) return notFound();
        return {
          case: 'allExtensionNumbersResponse',
          value: { baseTypeName: asked.value, extensionNumber: numbers },
        };
      }
      case undefined:
        return {
          case: 'errorResponse',
          value: { errorCode: Code.InvalidArgument, errorMessage: 'nothing was asked' },
        };
      default:
        return asked satisfies never;
    }
  };
  return (asked) =>
    create(reflection.ServerReflectionResponseSchema, {
      validHost: asked.host,
      originalRequest: asked,
      messageResponse: content(asked),
    });
}

function notFound(): Content {
  return {
    case: 'errorResponse',
    value: { errorCode: Code.NotFound, errorMessage: 'there is no such thing' },
  };
}
