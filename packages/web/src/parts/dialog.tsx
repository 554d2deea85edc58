import { Modal } from '@mantine/core';
import type { ReactNode, RefObject } from 'react';

export interface DialogProps {
  readonly opened: boolean;
  readonly close: () => void;
  readonly title: string;
  /** Over other dialogs. (Default: not) */
  readonly above?: boolean;
  /** Whether only what is in it can close it, so that what it shows is not lost by accident. (Default: no) */
  readonly stays?: boolean;
  /** Where the focus goes back to when what opened it is gone, such as a menu. (Default: the page) */
  readonly back?: RefObject<HTMLElement | null> | undefined;
  readonly children: ReactNode;
}

/** A question over the page. Its head is no banner: a page has one. */
export function Dialog({ opened, close, title, above = false, stays = false, back, children }: DialogProps) {
  // Mantine gives the focus back to what opened the dialog, if that is still there.
  const keepFocus = () => {
    if (document.activeElement !== document.body) return;
    (back?.current ?? document.getElementById('page'))?.focus();
  };
  return (
    <Modal.Root
      opened={opened}
      onClose={close}
      onExitTransitionEnd={keepFocus}
      centered
      zIndex={above ? 400 : 200}
      closeOnEscape={!stays}
      closeOnClickOutside={!stays}
    >
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header role="presentation">
          <Modal.Title>{title}</Modal.Title>
          {!stays && <Modal.CloseButton aria-label="Close" />}
        </Modal.Header>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
