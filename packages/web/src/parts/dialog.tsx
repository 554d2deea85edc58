import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';

export interface DialogProps {
  readonly opened: boolean;
  readonly close: () => void;
  readonly title: string;
  /** Over other dialogs. (Default: not) */
  readonly above?: boolean;
  readonly children: ReactNode;
}

/** A question over the page. Its head is no banner: a page has one. */
export function Dialog({ opened, close, title, above = false, children }: DialogProps) {
  return (
    <Modal.Root opened={opened} onClose={close} centered zIndex={above ? 400 : 200}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Header role="presentation">
          <Modal.Title>{title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </Modal.Header>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
