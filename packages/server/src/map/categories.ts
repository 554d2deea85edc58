import { type GapDecisions, NO_DECISIONS } from './gap-decisions.ts';
import { createViewTemplates, type ViewTemplates } from './view-templates.ts';

export type CategoryOf = (dataType: string) => string | undefined;

/** What is told of a data type: by the configuration and, where it says nothing, by what people approved. */
export interface Categories {
  readonly categoryOf: CategoryOf;
  readonly templates: ViewTemplates;
}

/** The same categories as long as the same was approved, so that what is made of them can be kept. */
export function createCategories(configured: CategoryOf): (decisions: GapDecisions) => Categories {
  const made = (categories: GapDecisions['categories']): Categories => {
    const categoryOf: CategoryOf =
      categories.size === 0 ? configured : (dataType) => configured(dataType) ?? categories.get(dataType);
    return { categoryOf, templates: createViewTemplates({ categoryOf }) };
  };
  let last = { said: '[]', categories: made(NO_DECISIONS.categories) };
  return ({ categories }) => {
    const said = JSON.stringify([...categories]);
    if (said !== last.said) last = { said, categories: made(categories) };
    return last.categories;
  };
}
