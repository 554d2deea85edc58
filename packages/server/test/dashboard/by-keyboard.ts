import type { Locator, Page } from 'playwright-core';

/** So often Tab is pressed before something counts as out of reach. */
const MOST_TABS = 150;

/** Whoever has no pointer: everything is reached by Tab and done by keys. */
export interface Keyboard {
  /** Tabs on until the focus is there; throws when it never comes there. `attached`: of what is drawn by its label. */
  to(target: Locator, state?: 'visible' | 'attached'): Promise<void>;
  press(...keys: readonly string[]): Promise<void>;
  type(text: string): Promise<void>;
  /** Tabs to a button or link and presses Enter. */
  enter(target: Locator): Promise<void>;
  /** Tabs to a field and types into it. */
  fill(target: Locator, text: string): Promise<void>;
  /** Tabs to a list and types the beginning of a choice. */
  choose(target: Locator, choice: string): Promise<void>;
}

export async function isFocused(page: Page, target: Locator): Promise<boolean> {
  return (await target.and(page.locator(':focus')).count()) > 0;
}

export function byKeyboard(page: Page): Keyboard {
  const { keyboard } = page;
  const press = async (...keys: readonly string[]) => {
    for (const key of keys) await keyboard.press(key);
  };
  const to: Keyboard['to'] = async (target, state = 'visible') => {
    await target.waitFor({ state });
    for (let tabs = 0; tabs < MOST_TABS; tabs += 1) {
      if (await isFocused(page, target)) return;
      await keyboard.press('Tab');
    }
    throw new Error(`Tab does not reach ${target}.`);
  };
  return {
    to,
    press,
    type: (text) => keyboard.type(text),
    async enter(target) {
      await to(target);
      await press('Enter');
    },
    async fill(target, text) {
      await to(target);
      await keyboard.type(text);
    },
    async choose(target, choice) {
      await to(target);
      await keyboard.type(choice);
    },
  };
}
