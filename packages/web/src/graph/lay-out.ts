import { inLanes, inOrder, isDense, type LayoutGraph, type Positions } from './layout.ts';

/** A picture that takes longer is put into lanes instead. */
const BUDGET_MILLISECONDS = 1_500;

let worker: Worker | undefined;
let asked = 0;

/** The layout, made beside the page. */
export function layOut(graph: LayoutGraph): Promise<Positions> {
  const ordered = inOrder(graph);
  if (isDense(ordered)) return Promise.resolve(inLanes(ordered));
  worker ??= new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
  const own = worker;
  asked += 1;
  const id = asked;
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(late);
      own.removeEventListener('message', hear);
      own.removeEventListener('error', fail);
    };
    const hear = ({ data }: MessageEvent<{ readonly id: number; readonly positions: Positions }>) => {
      if (data.id !== id) return;
      end();
      resolve(data.positions);
    };
    const fail = ({ message }: ErrorEvent) => {
      end();
      worker = undefined;
      reject(new Error(`The picture could not be made: ${message}`));
    };
    const late = setTimeout(() => {
      end();
      // It may be at it for minutes; the next picture gets another one.
      own.terminate();
      if (worker === own) worker = undefined;
      resolve(inLanes(graph));
    }, BUDGET_MILLISECONDS);
    own.addEventListener('message', hear);
    own.addEventListener('error', fail);
    own.postMessage({ id, graph });
  });
}
