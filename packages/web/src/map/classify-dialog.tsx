import type { GapView } from '@habeas/contract/api';
import { Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { approveGap } from '../api/operations.ts';
import { ReasonField } from '../parts/act-dialog.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { DialogForm, textOf } from '../parts/dialog-form.tsx';
import { Name } from '../parts/name.tsx';

export interface ClassifyDialogProps {
  /** A data type without a category; undefined: closed. */
  readonly gap: GapView | undefined;
  readonly close: () => void;
}

/** Gives a data type its category: the one that its name suggests, or another one. */
export function ClassifyDialog({ gap, close }: ClassifyDialogProps) {
  const client = useQueryClient();
  return (
    <Dialog opened={gap !== undefined} close={close} title="Approve a category">
      {gap !== undefined && (
        <DialogForm
          submit="Approve"
          close={close}
          act={(form) =>
            approveGap({
              id: gap.id ?? '',
              body: { category: textOf(form, 'category'), reason: textOf(form, 'reason') },
            })
          }
          done={() => {
            close();
            void client.invalidateQueries();
          }}
        >
          <Text>
            <Name>{gap.data_type ?? ''}</Name> has this category from now on, in every answer. What the
            configuration says under data_types counts before it.
          </Text>
          <TextInput
            name="category"
            label="Category"
            description={
              gap.proposed_category === null
                ? 'A key of Fideslang, such as user.contact.email'
                : 'What its name suggests; change it if that is wrong'
            }
            defaultValue={gap.proposed_category ?? ''}
            required
            maxLength={200}
            pattern="[a-z][a-z0-9_]*(\.[a-z0-9_]+)*"
            autoComplete="off"
          />
          <ReasonField />
        </DialogForm>
      )}
    </Dialog>
  );
}
