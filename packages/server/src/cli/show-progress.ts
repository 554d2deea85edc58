import type { api } from '@habeas/contract';
import type { CliContext } from './context.ts';
import { liveArea } from './live-area.ts';
import { changedTasks, progressBar, taskEventLine, taskMatrix } from './render/tasks.ts';
import { duration } from './render/time.ts';
import type { RequestSnapshot } from './watch-request.ts';

/** Shows how a request goes on: drawn in place for a person, one line for each change elsewhere. */
export interface Progress {
  show(snapshot: RequestSnapshot): void;
  /** Leaves the last state on the screen. */
  finish(): void;
}

const REDRAW_MILLISECONDS = 200;
const BAR_WIDTH = 24;
const INDENT = 3;

/** `started` and `now` are times in milliseconds, for the seconds that passed. */
export function showProgress(context: CliContext, now: () => number = Date.now): Progress {
  const started = now();
  return context.terminal.interactive ? drawn(context, started, now) : plain(context, started, now);
}

/** The picture of one moment. */
export function progressFrame(
  tasks: readonly api.TaskView[],
  options: Pick<CliContext, 'paint'> & { readonly width: number; readonly milliseconds: number },
): readonly string[] {
  const { paint, width, milliseconds } = options;
  return [
    `${' '.repeat(INDENT)}${progressBar(tasks, BAR_WIDTH, paint)}  ${paint.quiet(duration(milliseconds))}`,
    ...taskMatrix(tasks, { width, paint, indent: INDENT }),
  ];
}

function drawn(context: CliContext, started: number, now: () => number): Progress {
  const { terminal, paint } = context;
  const area = liveArea(terminal);
  let tasks: readonly api.TaskView[] = [];
  const draw = () =>
    area.draw(progressFrame(tasks, { paint, width: terminal.width, milliseconds: now() - started }));
  const timer = setInterval(draw, REDRAW_MILLISECONDS);
  timer.unref();
  return {
    show(snapshot) {
      tasks = snapshot.tasks;
      draw();
    },
    finish() {
      clearInterval(timer);
      draw();
      area.finish();
    },
  };
}

function plain(context: CliContext, started: number, now: () => number): Progress {
  let before: readonly api.TaskView[] = [];
  return {
    show({ tasks }) {
      for (const task of changedTasks(before, tasks)) {
        context.terminal.out(`${' '.repeat(INDENT)}${duration(now() - started)}  ${taskEventLine(task)}\n`);
      }
      before = tasks;
    },
    finish: () => undefined,
  };
}
