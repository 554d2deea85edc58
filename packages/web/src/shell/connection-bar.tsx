import { Alert } from '@mantine/core';
import { useConnectionLost } from '../api/connection.ts';

/** Says that the server does not answer, as long as it does not. */
export function ConnectionBar() {
  const lost = useConnectionLost();
  return (
    <div role="status">
      {lost && (
        <Alert color="yellow" mb="md" title="The server does not answer">
          What you see may be out of date. The page tries again by itself, and goes on when the server is
          back.
        </Alert>
      )}
    </div>
  );
}
