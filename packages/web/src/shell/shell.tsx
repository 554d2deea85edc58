import type { Scope } from '@habeas/contract/api';
import {
  AppShell,
  Box,
  Burger,
  Button,
  Group,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useLive } from '../api/live.ts';
import { endSession } from '../api/operations.ts';
import { hasCode } from '../api/problem.ts';
import { MenuLink } from '../parts/links.tsx';
import { Name } from '../parts/name.tsx';
import { useSession, useSetSession } from '../session/session.tsx';
import { ConnectionBar } from './connection-bar.tsx';
import { PLACES, type Place } from './navigation.ts';

/** Navigation, who is signed in, and the page. */
export function Shell() {
  const { scopes } = useSession();
  useLive(scopes.includes('requests:read'));
  const [opened, { toggle, close }] = useDisclosure();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useEffect(() => {
    if (path !== '') close();
  }, [path, close]);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="lg"
    >
      {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place on this page, whose address is its state */}
      <a className="skip-link" href="#page" onClick={focusPage}>
        To the page
      </a>
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap">
          <Group wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
            <Text fw={700} size="lg">
              Habeas
            </Text>
          </Group>
          <Reader />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        {PLACES.filter((place) => isOpenTo(place, scopes)).map(({ to, label }) => (
          <MenuLink
            key={to}
            to={to}
            label={label}
            activeOptions={{ exact: to === '/' }}
            activeProps={{ active: true }}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main>
        <Box id="page" tabIndex={-1} maw={1400}>
          <ConnectionBar />
          <Outlet />
        </Box>
      </AppShell.Main>
    </AppShell>
  );
}

const isOpenTo = (place: Place, scopes: readonly Scope[]) =>
  place.scopes.length === 0 || place.scopes.some((scope) => scopes.includes(scope));

/** The fragment stays out of the address, which is the state of the page. */
function focusPage(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById('page')?.focus();
}

function Reader() {
  const { actor, name } = useSession();
  const setSession = useSetSession();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme('light') === 'dark';
  const signOut = async () => {
    try {
      await endSession({});
    } catch (error) {
      // Still signed in: the bar above says that the server cannot be reached.
      if (!hasCode(error, 'UNAUTHENTICATED')) return;
    }
    setSession(null);
  };
  return (
    <Group gap="xs" wrap="nowrap">
      <Text size="sm" c="dimmed" visibleFrom="sm">
        <Name>{name ?? actor}</Name>
      </Text>
      <Button variant="subtle" onClick={() => setColorScheme(dark ? 'light' : 'dark')}>
        {dark ? 'Light' : 'Dark'}
      </Button>
      <Button variant="default" onClick={signOut}>
        Sign out
      </Button>
    </Group>
  );
}
