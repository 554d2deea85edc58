import { type LayoutGraph, layout } from './layout.ts';

/** Beside the page, so that it can be used while a picture is made. */
self.onmessage = ({ data }: MessageEvent<{ readonly id: number; readonly graph: LayoutGraph }>) => {
  self.postMessage({ id: data.id, positions: layout(data.graph) });
};
