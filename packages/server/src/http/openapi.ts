import swagger from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { tidyComponents } from './openapi-components.ts';
import { type HttpServer, TAGS } from './operation.ts';

/** Builds the OpenAPI 3.1 document from the schemas of the routes that are registered after it. */
export async function describeApi(app: HttpServer): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'Habeas',
        version: '1',
        summary: 'The control plane for personal data',
        description:
          'Where personal data lives, what people ask to be done with it, and proof that it was done. Errors are problem documents (RFC 9457) with a `code` of docs/errors.md.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key' },
          browser: {
            type: 'http',
            scheme: 'basic',
            description: 'The API key as the password, for browsers',
          },
        },
      },
      security: [{ key: [] }, { browser: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      tidyComponents(jsonSchemaTransformObject(document) as OpenAPIV3_1.Document),
  });
}
