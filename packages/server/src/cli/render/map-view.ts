import type { api } from '@habeas/contract';
import { flowLines, gapLines, joinFlows, serviceLines } from './map.ts';
import { changeLines, teamLines } from './map-answers.ts';
import type { Paint } from './paint.ts';
import { count } from './text.ts';
import { momentText } from './time.ts';

/** The data map: services, flows between them, gaps; or its teams; and what changed. */
export function mapLines(map: api.MapView, width: number, paint: Paint): readonly string[] {
  const { counts } = map;
  const flows = joinFlows(map.flows);
  const head = [
    ...(map.teams === null ? [] : [count(counts.teams, 'team')]),
    count(counts.services, 'service'),
    count(map.teams === null ? flows.length : counts.flows, 'flow'),
    count(counts.gaps, 'gap'),
  ].join(', ');
  const body = [
    ...(map.changes === null ? [] : [changeLines(map.changes, width, paint)]),
    // Who asks what changed gets no list of all that did not.
    ...(map.changes === null
      ? [serviceLines(map.services, width, paint), flowLines(flows, width, paint)]
      : []),
    ...(map.teams === null ? [] : [teamLines(map.teams, width, paint)]),
    ...(map.changes === null ? [gapLines(map.gaps, width, paint)] : []),
  ];
  return [
    `${paint.strong(head)} ${paint.quiet(momentText(map))}`,
    ...body.flatMap((lines) => (lines.length === 0 ? [] : ['', ...lines])),
  ];
}

/** What is missing. */
export function gapListLines(answer: api.GapListView, width: number, paint: Paint): readonly string[] {
  const head = `${paint.strong(count(answer.counts.gaps, 'gap'))} ${paint.quiet(momentText(answer))}`;
  return [head, ...(answer.items.length === 0 ? [] : ['', ...gapLines(answer.items, width, paint)])];
}
