import { Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useId } from 'react';
import { listConnections, reassignTicket } from '../api/operations.ts';
import { mapQuery } from '../map/queries.ts';
import { ReasonField } from '../parts/act-dialog.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { DialogForm, textOf } from '../parts/dialog-form.tsx';
import { useMay } from '../session/session.tsx';

export interface ReassignDialogProps {
  /** Id of a ticket, and whose it is; undefined: closed. */
  readonly ticket: { readonly id: string; readonly team: string } | undefined;
  readonly close: () => void;
}

/** Gives a ticket to another team. The server refuses one that it does not know, and says which there are. */
export function ReassignDialog({ ticket, close }: ReassignDialogProps) {
  const client = useQueryClient();
  return (
    <Dialog opened={ticket !== undefined} close={close} title="Give it to another team">
      {ticket !== undefined && (
        <DialogForm
          submit="Reassign"
          close={close}
          act={(form) =>
            reassignTicket({
              id: ticket.id,
              body: { team: textOf(form, 'team'), reason: textOf(form, 'reason') },
            })
          }
          done={() => {
            close();
            void client.invalidateQueries();
          }}
        >
          <Text>The new team is told of it. The team that has it now does not see it any more.</Text>
          <TeamField now={ticket.team} />
          <ReasonField />
        </DialogForm>
      )}
    </Dialog>
  );
}

function TeamField({ now }: { readonly now: string }) {
  const known = useId();
  const mayMap = useMay('map:read');
  const mayConnections = useMay('connections:read');
  const { data: map } = useQuery({ ...mapQuery({}), enabled: mayMap });
  const { data: connections } = useQuery({
    queryKey: ['connections'],
    queryFn: async ({ signal }) => (await listConnections({}, signal)).items,
    enabled: mayConnections,
  });
  const teams = new Set([
    ...(map?.services ?? []).flatMap(({ team }) => team ?? []),
    ...(connections ?? []).map(({ team }) => team),
  ]);
  teams.delete(now);
  return (
    <>
      <TextInput name="team" label="Team" required maxLength={200} list={known} autoComplete="off" />
      <datalist id={known}>
        {[...teams].toSorted().map((team) => (
          <option key={team} value={team} />
        ))}
      </datalist>
    </>
  );
}
