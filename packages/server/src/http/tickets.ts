import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { ticketIdParams } from './params.ts';

/** What a team finds by hand is held in memory once, on its way into the package. */
const HAND_OVER_BYTES = 32 * 1024 * 1024;

/** `/api/v1/tickets`: work for teams whose systems Habeas cannot act on. */
export function ticketRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.get('/api/v1/tickets', {
    schema: {
      ...operation({
        id: 'listTickets',
        tag: 'Tickets',
        summary: 'List tickets, newest first',
        description: 'Names nobody; read one ticket to learn whom it is about.',
      }),
      querystring: api.listTicketsQuerySchema,
      response: { 200: api.ticketPageSchema.describe('A page of tickets'), ...problems(['BAD_INPUT']) },
    },
    handler: async (request) => {
      const { items, next } = await requests.listTickets(callerOf(request), request.query);
      return { items: [...items], next };
    },
  });

  app.get('/api/v1/tickets/:id', {
    schema: {
      ...operation({
        id: 'getTicket',
        tag: 'Tickets',
        summary: 'Read a ticket with the person that it is about',
        description: 'Who looked and when goes to the audit log.',
      }),
      params: ticketIdParams,
      response: {
        200: api.ticketDetailSchema.describe('The ticket, with identities'),
        ...problems(['NOT_FOUND']),
      },
    },
    handler: async (request, reply) => {
      reply.header('cache-control', 'no-store');
      return requests.getTicket(callerOf(request), request.params.id);
    },
  });

  app.post('/api/v1/tickets/:id([a-z0-9_]+)::close', {
    bodyLimit: HAND_OVER_BYTES,
    schema: {
      ...operation({ id: 'closeTicket', tag: 'Tickets', summary: 'Say that the work of a ticket is done' }),
      params: ticketIdParams,
      body: api.closeTicketSchema,
      response: {
        200: api.ticketSchema.describe('The ticket as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) => requests.closeTicket(callerOf(request), request.params.id, request.body),
  });

  app.post('/api/v1/tickets/:id([a-z0-9_]+)::reassign', {
    schema: {
      ...operation({
        id: 'reassignTicket',
        tag: 'Tickets',
        summary: 'Give an open ticket to another team',
        description:
          'The new team is told of it like of a new ticket; the former one does not see it any more. A ticket that was rejected stays so until somebody retries it.',
      }),
      params: ticketIdParams,
      body: api.reassignTicketSchema,
      response: {
        200: api.ticketSchema.describe('The ticket as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) => requests.reassignTicket(callerOf(request), request.params.id, request.body),
  });

  app.post('/api/v1/tickets/:id([a-z0-9_]+)::reject', {
    schema: {
      ...operation({
        id: 'rejectTicket',
        tag: 'Tickets',
        summary: 'Say that the work of a ticket will not be done',
        description: 'The task is blocked until an officer retries or skips it.',
      }),
      params: ticketIdParams,
      body: api.reasonSchema,
      response: {
        200: api.ticketSchema.describe('The ticket as it is now'),
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT']),
      },
    },
    handler: (request) => requests.rejectTicket(callerOf(request), request.params.id, request.body.reason),
  });
}
