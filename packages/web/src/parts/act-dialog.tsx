import { NativeSelect, Text, Textarea } from '@mantine/core';
import { Dialog, type DialogProps } from './dialog.tsx';
import { DialogForm, textOf } from './dialog-form.tsx';
import { Words } from './name.tsx';

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
  readonly back?: DialogProps['back'];
}

/** Says what an act does before it is done, takes its reason, and shows what the server refused. What was typed stays until then. */
export function ActDialog({ act, close, done, back }: ActDialogProps) {
  return (
    <Dialog opened={act !== undefined} close={close} title={act?.label ?? ''} back={back}>
      {act !== undefined && <ActForm key={act.label} act={act} close={close} done={done} />}
    </Dialog>
  );
}

function ActForm({ act, close, done }: ActDialogProps & { readonly act: Act }) {
  return (
    <DialogForm
      submit={act.label}
      grave={act.grave}
      act={(form) => act.run(textOf(form, 'reason'))}
      close={close}
      done={() => {
        close();
        done();
      }}
    >
      <Text>
        <Words>{act.explanation}</Words>
      </Text>
      {act.reason === 'words' && <ReasonField />}
      {Array.isArray(act.reason) && (
        <NativeSelect name="reason" label="Reason" data={act.reason} data-autofocus />
      )}
    </DialogForm>
  );
}

/** Why somebody does what they do, by the name `reason`. */
export function ReasonField() {
  return (
    <Textarea
      name="reason"
      label="Reason"
      description="Kept with it and in the audit log; write no personal data"
      required
      maxLength={2_000}
      autosize
      minRows={3}
      data-autofocus
    />
  );
}
