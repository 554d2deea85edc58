import type { ReceiptView } from '@habeas/contract/api';
import { Alert, Button, Group, List, Stack, Text } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getVerifierKeys } from '../api/operations.ts';
import { BusyButton } from '../parts/busy-button.tsx';
import { saveFile } from '../parts/save-file.ts';
import { Failure, Loading } from '../parts/states.tsx';
import { receiptQuery } from '../requests/queries.ts';
import { verifyReceipt } from './verify-receipt.ts';

const WORDS = {
  signature: 'A key of this log signed exactly this receipt',
  entry: 'The log has an entry with the hash of exactly this receipt',
  checkpoint: 'A key of this log signed the tree that the proof leads to',
  inclusion: 'The entry is in that tree',
} as const;

/** The signed receipt of a request that has ended, and whether it holds. */
export function ReceiptPanel({ id }: { readonly id: string }) {
  const { data: receipt, error, refetch } = useQuery(receiptQuery(id));
  if (error !== null) return <Failure error={error} retry={() => void refetch()} />;
  if (receipt === undefined) return <Loading rows={2} />;
  return (
    <Stack align="flex-start">
      <Text>
        Signed, without personal data, and committed in the audit log. Anybody can verify it offline with{' '}
        <a href="/habeas-verify.mjs" download>
          habeas-verify.mjs
        </a>{' '}
        and a key of the log that they got once and kept.
      </Text>
      <Verification receipt={receipt} />
      <Button
        variant="default"
        onClick={() => saveFile(`${id}-receipt.json`, 'application/json', JSON.stringify(receipt, null, 2))}
      >
        Save the receipt
      </Button>
    </Stack>
  );
}

function Verification({ receipt }: { readonly receipt: ReceiptView }) {
  const verifying = useMutation({
    mutationFn: async () => {
      if (crypto.subtle === undefined)
        throw new Error(
          'A browser verifies signatures over HTTPS and on this machine only. Save the receipt and use habeas-verify.mjs.',
        );
      return verifyReceipt(receipt, await getVerifierKeys({}));
    },
  });
  const checks = verifying.data;
  const verified = checks?.every(({ holds }) => holds);
  return (
    <>
      <Group>
        <BusyButton onClick={() => verifying.mutate()} busy={verifying.isPending}>
          Verify
        </BusyButton>
        {receipt.log === null && <Text c="dimmed">The log does not have it yet; that takes a moment.</Text>}
      </Group>
      {verifying.error !== null && <Failure error={verifying.error} />}
      {checks !== undefined && (
        <Alert
          role="status"
          color={verified === true ? 'teal' : 'red'}
          title={verified === true ? 'Verified in this browser' : 'Not verified'}
        >
          <List size="sm">
            {checks.map(({ check, holds }) => (
              <List.Item key={check}>
                {holds ? '✓' : '✗'} {WORDS[check]}
                {holds ? '' : ': this does not hold'}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
    </>
  );
}
