export { choicesOf } from './choices.ts';
export { type Effect, readEffects } from './effects.ts';
export { DEFAULT_PEOPLE, type Person, people, person } from './people.ts';
export type { RunningService, ServiceName } from './service-process.ts';
export { collectEvents, type EventCount } from './services/analytics/event-files.ts';
export { answerTicket, parseTicket, type Ticket } from './services/analytics/forget.ts';
export { type SeedShopOptions, seedShop } from './services/orders/seed.ts';
export {
  type Acme,
  type AcmeOptions,
  type AcmeProgress,
  type AcmeSubject,
  startAcme,
  subject,
} from './start.ts';
export { followTraces, type Trace, type Traces } from './traces.ts';
