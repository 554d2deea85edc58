import { Alert, Button, type ButtonProps } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { listWaysToSignIn } from '../api/operations.ts';

/** Path of the page that a window for signing in ends at. */
export const SIGNED_IN_PATH = '/app/signed-in';

/** The organization's own sign-in; undefined while nobody knows, or where there is none. */
export function useProvider() {
  const ways = useQuery({
    queryKey: ['session', 'ways'],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => listWaysToSignIn({}, signal),
  });
  return ways.data?.provider ?? undefined;
}

/** Leaves for the organization's own sign-in, which comes back to this very page. */
export function ProviderButton(props: ButtonProps) {
  const provider = useProvider();
  if (provider === undefined) return null;
  const { pathname, search } = window.location;
  const query = new URLSearchParams({ return_to: pathname + withoutError(search) });
  return (
    <Button component="a" href={`${provider.url}?${query}`} fullWidth {...props}>
      Sign in with {provider.name}
    </Button>
  );
}

/** Signs in beside this page, which stays as it is and goes on when that is done. */
export function ProviderWindowButton({ confirm }: { readonly confirm: boolean }) {
  const provider = useProvider();
  if (provider === undefined) return null;
  const query = new URLSearchParams({ return_to: SIGNED_IN_PATH, confirm: String(confirm) });
  return (
    <Button
      data-autofocus
      onClick={() => window.open(`${provider.url}?${query}`, 'habeas-sign-in', 'popup,width=520,height=720')}
    >
      Sign in with {provider.name}
    </Button>
  );
}

const REFUSED: Readonly<Record<string, string>> = {
  FORBIDDEN: 'You are not a member here yet. Ask an owner to invite the address that you sign in with.',
  PROOF_REFUSED: 'The sign-in took too long or began in another window. Begin it again.',
  UNAUTHENTICATED: 'Somebody else signed in than the one whose session this is.',
  SYSTEM_UNREACHABLE: 'The sign-in of your organization cannot be reached now. Try again, or use an API key.',
};

/** What a sign-in was refused for, where this page is what came of one. */
export function SignInRefused() {
  const code = new URLSearchParams(window.location.search).get('sign_in_error');
  if (code === null) return null;
  return (
    <Alert color="red" variant="light" role="alert" title="The sign-in did not succeed">
      {REFUSED[code] ?? 'Try it again.'}
    </Alert>
  );
}

function withoutError(search: string): string {
  const query = new URLSearchParams(search);
  query.delete('sign_in_error');
  return query.size === 0 ? '' : `?${query}`;
}
