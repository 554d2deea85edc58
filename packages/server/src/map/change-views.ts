import type { api } from '@habeas/contract';
import type { Change, MapChanges } from './changes.ts';
import { sayingView, timeView, typeView, type ViewContext } from './views.ts';

type Context = Pick<ViewContext, 'categoryOf'>;

export function changesView(changes: MapChanges, context: Context): api.MapChangesView {
  const views = (some: readonly Change[]) => some.map((change) => changeView(change, context));
  return {
    from: changes.from.toISOString(),
    to: changes.to.toISOString(),
    added: views(changes.added),
    removed: views(changes.removed),
    changed: views(changes.changed),
  };
}

function changeView(change: Change, context: Context): api.ChangeView {
  return {
    ...changeHead(change, context),
    at: timeView(change.at),
    by: [...changeAuthors(change)],
    before: change.before.map(sayingView),
    after: change.after.map(sayingView),
  };
}

/** What it is that changed. */
export function changeHead({ first: { declaration } }: Pick<Change, 'first'>, context: Context) {
  return {
    kind: declaration.kind === 'store' ? ('store' as const) : ('flow' as const),
    service: declaration.service,
    to_service: declaration.kind === 'store' ? null : declaration.toService,
    ...typeView(declaration.dataType, context),
  };
}

/** Who says so, each once. */
export function changeAuthors({ by }: Pick<Change, 'by'>): readonly api.ChangeView['by'][number][] {
  const authors = by.map(({ source, declaration: { team } }) => ({ team, source }));
  if (authors.length < 2) return authors;
  return [
    ...new Map(
      authors.map(({ team, source }) => [JSON.stringify([team, source]), { team, source }]),
    ).values(),
  ];
}
