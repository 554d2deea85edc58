import type { RequestView } from '@habeas/contract/api';
import { Button, Menu } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { type Act, ActDialog } from '../parts/act-dialog.tsx';
import { useSession } from '../session/session.tsx';
import { actsOn } from './acts-on.ts';

/** What the reader can do with a request now: first what it waits for, the rest in a menu. */
export function RequestActs({ request }: { readonly request: RequestView }) {
  const { scopes } = useSession();
  const client = useQueryClient();
  const [act, setAct] = useState<Act>();
  const more = useRef<HTMLButtonElement>(null);
  const acts = actsOn(request).filter(({ scope }) => scopes.includes(scope));
  const first = acts.filter(({ wanted }) => wanted);
  const others = acts.filter(({ wanted }) => !wanted);
  // Its words follow the request; the dialog stays when somebody else was faster, with what was typed in it.
  const latest = acts.find(({ label }) => label === act?.label) ?? act;
  return (
    <>
      {first.map((one) => (
        <Button
          key={one.label}
          onClick={() => setAct(one)}
          variant={one.grave === true ? 'outline' : 'filled'}
        >
          {one.label}
        </Button>
      ))}
      {others.length > 0 && (
        <Menu shadow="md" position="bottom-end">
          <Menu.Target>
            <Button variant="default" ref={more}>
              More
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map((one) => (
              <Menu.Item key={one.label} onClick={() => setAct(one)}>
                {one.label}…
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      <ActDialog
        act={latest}
        close={() => setAct(undefined)}
        back={more}
        done={() => void client.invalidateQueries({ queryKey: ['request', request.id] })}
      />
    </>
  );
}
