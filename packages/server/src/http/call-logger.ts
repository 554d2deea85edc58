import type { FastifyBaseLogger } from 'fastify';

type Bindings = Readonly<Record<string, unknown>>;
type Line = [about: unknown, message?: string, ...more: unknown[]];

/** What is logged while a call is answered, under its id. Most calls log nothing but their answer, and so the logger is made when it is first used. */
export class CallLogger implements FastifyBaseLogger {
  readonly #logger: FastifyBaseLogger;
  readonly #bindings: Bindings;
  #made: FastifyBaseLogger | undefined;

  constructor(logger: FastifyBaseLogger, bindings: Bindings) {
    this.#logger = logger;
    this.#bindings = bindings;
  }

  get #own(): FastifyBaseLogger {
    this.#made ??= this.#logger.child({ ...this.#bindings });
    return this.#made;
  }

  get level() {
    return this.#own.level;
  }
  set level(level) {
    this.#own.level = level;
  }
  fatal(...line: Line) {
    this.#own.fatal(...line);
  }
  error(...line: Line) {
    this.#own.error(...line);
  }
  warn(...line: Line) {
    this.#own.warn(...line);
  }
  info(...line: Line) {
    this.#own.info(...line);
  }
  debug(...line: Line) {
    this.#own.debug(...line);
  }
  trace(...line: Line) {
    this.#own.trace(...line);
  }
  silent(...line: Line) {
    this.#own.silent(...line);
  }
  child(bindings: Bindings) {
    return this.#own.child({ ...bindings });
  }
}
