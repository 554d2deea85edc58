import type { SessionView } from '@habeas/contract/api';
import { PasswordInput, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { BusyButton } from '../parts/busy-button.tsx';

export interface KeyFormProps {
  readonly act: (key: string) => Promise<SessionView>;
  readonly done: (session: SessionView) => void;
  readonly submit: string;
  /** Whether there is a better way beside it. (Default: no) */
  readonly second?: boolean;
  readonly children?: ReactNode;
}

/** Where somebody shows their API key. The key goes to the server once and is kept nowhere. */
export function KeyForm({ act, done, submit, second = false, children }: KeyFormProps) {
  const showing = useMutation({ mutationFn: act, onSuccess: done });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const key = new FormData(event.currentTarget).get('key');
        if (typeof key === 'string' && key.trim() !== '') showing.mutate(key.trim());
      }}
    >
      <Stack gap="md">
        {children}
        <PasswordInput
          name="key"
          label="API key"
          description="The key that the server printed when it started, or one that you were given"
          autoComplete="current-password"
          required
          data-autofocus
          error={showing.error?.message}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the key', tabIndex: 0 }}
        />
        <BusyButton type="submit" variant={second ? 'default' : 'filled'} busy={showing.isPending}>
          {submit}
        </BusyButton>
      </Stack>
    </form>
  );
}
