import { Button, Stack } from '@mantine/core';
import { type ErrorComponentProps, SearchParamError, useRouter } from '@tanstack/react-router';
import { ButtonLink, TextLink } from '../parts/links.tsx';
import { Empty, Failure } from '../parts/states.tsx';

/** A page that could not be shown; the others still can. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  // Its file is gone: the server was updated while this page was open.
  const outdated = /dynamically imported module|Importing a module/.test(messageOf(error));
  if (outdated)
    return (
      <Empty page title="There is a newer version of this page">
        <Button mt="sm" onClick={() => location.reload()}>
          Load it
        </Button>
      </Empty>
    );
  if (error instanceof SearchParamError)
    return (
      <Empty page title="This address has a filter that does not exist">
        <TextLink to="." search={{}}>
          Show everything
        </TextLink>
      </Empty>
    );
  return (
    <Stack>
      <Failure
        error={error}
        retry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </Stack>
  );
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : '');

export function PageNotFound() {
  return (
    <Empty page title="There is no such page">
      <ButtonLink mt="sm" to="/">
        To the start
      </ButtonLink>
    </Empty>
  );
}
