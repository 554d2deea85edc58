import { Alert, Button, Group, Paper, Skeleton, Stack, Text, Title, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiError } from '../api/problem.ts';
import { Words } from './name.tsx';

/** The top of a page: what it is, and what can be done with all of it. */
export function PageHeader({
  title,
  children,
}: {
  readonly title: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <Group justify="space-between" align="center" mb="md" wrap="wrap">
      <Title order={1}>{title}</Title>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}

export interface EmptyProps {
  readonly title: string;
  /** Whether it is the whole page. (Default: a part of one) */
  readonly page?: boolean;
  readonly children?: ReactNode;
}

/** There is nothing, why that is, and what to do about it. */
export function Empty({ title, page = false, children }: EmptyProps) {
  return (
    <Paper withBorder p="xl">
      <Stack align="center" gap="xs">
        {page ? (
          <Title order={1} size="h2">
            {title}
          </Title>
        ) : (
          <Text fw={600}>{title}</Text>
        )}
        {children !== undefined && (
          <Text c="dimmed" ta="center" component="div">
            {children}
          </Text>
        )}
      </Stack>
    </Paper>
  );
}

export function Loading({ rows = 5 }: { readonly rows?: number }) {
  return (
    <Stack gap="sm" role="status">
      <VisuallyHidden>Loading</VisuallyHidden>
      {Array.from({ length: rows }, (_, row) => row).map((row) => (
        <Skeleton key={row} height={36} />
      ))}
    </Stack>
  );
}

export interface FailureProps {
  readonly error: unknown;
  readonly retry?: (() => void) | undefined;
}

/** What went wrong, in the server's own words, and the way on. */
export function Failure({ error, retry }: FailureProps) {
  const problem = error instanceof ApiError ? error.problem : undefined;
  const forbidden = problem?.code === 'FORBIDDEN';
  return (
    <Alert
      color={forbidden ? 'yellow' : 'red'}
      title={forbidden ? 'You may not see this' : (problem?.title ?? 'Something went wrong')}
      role="alert"
    >
      <Stack gap="xs" align="flex-start">
        <Text component="div">
          <Words>{error instanceof Error ? error.message : String(error)}</Words>
        </Text>
        {problem?.details?.map((detail) => (
          <Text key={detail} component="div" size="sm">
            <Words>{detail}</Words>
          </Text>
        ))}
        {forbidden && <Text>Ask whoever gave you your key for one with this scope.</Text>}
        {retry !== undefined && !forbidden && (
          <Button variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

export interface ForbiddenProps {
  readonly title: string;
  /** What is missing. */
  readonly scope: string;
}

/** A page that the reader came to by its address, and may see nothing of. */
export function Forbidden({ title, scope }: ForbiddenProps) {
  return (
    <>
      <PageHeader title={title} />
      <Alert color="yellow" title="You may not see this" role="alert">
        This needs the scope {scope}. Ask whoever gave you your key or your role.
      </Alert>
    </>
  );
}
