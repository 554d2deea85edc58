import type { TicketView } from '@habeas/contract/api';
import { FileInput, Group, NumberInput, Paper, Stack, Textarea, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { closeTicket } from '../api/operations.ts';
import { BusyButton } from '../parts/busy-button.tsx';
import { Failure } from '../parts/states.tsx';
import { readRows } from './read-rows.ts';

export interface CloseFormProps {
  readonly ticket: TicketView;
  readonly done: () => void;
}

/** Says that the work is done: by a note, and where the person gets a copy, with the file of what was found. */
export function CloseForm({ ticket, done }: CloseFormProps) {
  const [file, setFile] = useState<File | null>(null);
  const [count, setCount] = useState<number | string>('');
  const handsOver = ticket.right === 'access' || ticket.right === 'portability';
  const closing = useMutation({
    mutationFn: async (note: string) => {
      const data = file === null ? undefined : readRows(file.name, await file.text());
      return closeTicket({
        id: ticket.id,
        body: {
          note,
          ...(data === undefined ? {} : { data }),
          ...(typeof count === 'number' ? { count } : {}),
        },
      });
    },
    onSuccess: done,
  });
  return (
    <Paper withBorder p="md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          closing.mutate(String(new FormData(event.currentTarget).get('note')).trim());
        }}
      >
        <Stack>
          <Title order={2}>Done?</Title>
          <Textarea
            name="note"
            label="Note"
            description="What was done; it is kept, so write no personal data"
            required
            maxLength={2_000}
            autosize
            minRows={2}
          />
          {handsOver && (
            <FileInput
              label="What was found"
              description="JSON: rows by collection, a list of rows, or one row a line. It goes into the person’s package, sealed until then."
              placeholder="Choose a file"
              accept=".json,.jsonl,.ndjson,application/json"
              value={file}
              onChange={setFile}
              clearable
              clearButtonProps={{ 'aria-label': 'Take the file away' }}
            />
          )}
          <NumberInput
            label="Records"
            description={
              handsOver
                ? 'Only if there is no file: how many were handed over'
                : 'How many were found and dealt with'
            }
            value={count}
            onChange={setCount}
            min={0}
            allowDecimal={false}
            maw={240}
            hideControls
          />
          {closing.error !== null && <Failure error={closing.error} />}
          <Group>
            <BusyButton type="submit" busy={closing.isPending}>
              Close the ticket
            </BusyButton>
          </Group>
        </Stack>
      </form>
    </Paper>
  );
}
