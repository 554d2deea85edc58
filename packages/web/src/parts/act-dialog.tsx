import { Button, Group, NativeSelect, Stack, Text, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Dialog } from './dialog.tsx';
import { Failure } from './states.tsx';

export interface Choice {
  readonly value: string;
  readonly label: string;
}

export interface Act {
  readonly label: string;
  /** What it does, and what becomes of it afterwards. */
  readonly explanation: string;
  /** Whether it cannot be undone. (Default: it can) */
  readonly grave?: boolean;
  /** What has to be said with it: words, or one of these. (Default: nothing) */
  readonly reason?: 'words' | readonly Choice[];
  readonly run: (reason: string) => Promise<unknown>;
}

export interface ActDialogProps {
  /** Undefined: closed. */
  readonly act: Act | undefined;
  readonly close: () => void;
  readonly done: () => void;
}

/** Says what an act does before it is done, takes its reason, and shows what the server refused. What was typed stays until then. */
export function ActDialog({ act, close, done }: ActDialogProps) {
  return (
    <Dialog opened={act !== undefined} close={close} title={act?.label ?? ''}>
      {act !== undefined && <ActForm key={act.label} act={act} close={close} done={done} />}
    </Dialog>
  );
}

function ActForm({ act, close, done }: ActDialogProps & { readonly act: Act }) {
  const acting = useMutation({
    mutationFn: act.run,
    onSuccess: () => {
      close();
      done();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        acting.mutate(String(new FormData(event.currentTarget).get('reason') ?? '').trim());
      }}
    >
      <Stack>
        <Text>{act.explanation}</Text>
        {act.reason === 'words' && (
          <Textarea
            name="reason"
            label="Reason"
            description="Kept with the request and in the audit log; write no personal data"
            required
            maxLength={2_000}
            autosize
            minRows={3}
            data-autofocus
          />
        )}
        {Array.isArray(act.reason) && (
          <NativeSelect name="reason" label="Reason" data={act.reason} data-autofocus />
        )}
        {acting.error !== null && <Failure error={acting.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Back
          </Button>
          <Button type="submit" color={act.grave === true ? 'red' : 'house'} loading={acting.isPending}>
            {act.label}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
