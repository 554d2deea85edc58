import { Button, Group, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { BusyButton } from './busy-button.tsx';
import { Failure } from './states.tsx';

export interface DialogFormProps<Result> {
  /** What the button says. */
  readonly submit: string;
  /** Whether it cannot be undone. (Default: it can) */
  readonly grave?: boolean | undefined;
  /** What is done with what was filled in. */
  readonly act: (form: FormData) => Promise<Result>;
  readonly done: (result: Result) => void;
  readonly close: () => void;
  readonly children: ReactNode;
}

/** What is filled in and sent from a dialog. What the server refuses is shown there, and what was typed stays. */
export function DialogForm<Result>({
  submit,
  grave = false,
  act,
  done,
  close,
  children,
}: DialogFormProps<Result>) {
  // An answer can be a secret: it is kept no longer than the form.
  const acting = useMutation({ mutationFn: act, onSuccess: done, gcTime: 0 });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        acting.mutate(new FormData(event.currentTarget));
      }}
    >
      <Stack>
        {children}
        {acting.error !== null && <Failure error={acting.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Back
          </Button>
          <BusyButton type="submit" color={grave ? 'red' : 'house'} busy={acting.isPending}>
            {submit}
          </BusyButton>
        </Group>
      </Stack>
    </form>
  );
}

/** What was written into a field, without blanks around it; empty: nothing. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
