import { type RequestFilter, requestFilterSchema } from '@habeas/contract/api';
import { Button, Group, Menu, TextInput } from '@mantine/core';
import { useDisclosure, useLocalStorage } from '@mantine/hooks';
import * as z from 'zod';
import { Dialog } from '../parts/dialog.tsx';

const viewsSchema = z.array(z.object({ name: z.string(), filter: requestFilterSchema }));
type Views = z.output<typeof viewsSchema>;

export interface SavedViewsProps {
  readonly filter: RequestFilter;
  readonly show: (filter: RequestFilter) => void;
}

/** What every reader may want to see, before they have saved anything. */
const GIVEN: Views = [
  { name: 'Open, first due first', filter: { open: 'true', order: 'due' } },
  { name: 'To be approved', filter: { state: 'approving' } },
  { name: 'Blocked', filter: { state: 'blocked' } },
];

/** Filters by names of the reader's own, kept in this browser. A filter holds no personal data. */
export function SavedViews({ filter, show }: SavedViewsProps) {
  const [views, setViews] = useLocalStorage<Views>({
    key: 'habeas-request-views',
    defaultValue: [],
    deserialize: (text) => viewsSchema.safeParse(parsed(text)).data ?? [],
  });
  const [naming, { open, close }] = useDisclosure();
  return (
    <>
      <Menu shadow="md" position="bottom-end">
        <Menu.Target>
          <Button variant="default">Views</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {[...GIVEN, ...views].map((view) => (
            <Menu.Item key={view.name} onClick={() => show(view.filter)}>
              {view.name}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={open} disabled={Object.keys(filter).length === 0}>
            Save this filter…
          </Menu.Item>
          {views.map(({ name }) => (
            <Menu.Item key={name} onClick={() => setViews(views.filter((view) => view.name !== name))}>
              Forget “{name}”
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Dialog opened={naming} close={close} title="Save this filter">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const name = String(new FormData(event.currentTarget).get('name')).trim();
            if (name === '') return;
            setViews([...views.filter((view) => view.name !== name), { name, filter }]);
            close();
          }}
        >
          <TextInput name="name" label="Name" required maxLength={60} data-autofocus mb="md" />
          <Group justify="flex-end">
            <Button type="submit">Save</Button>
          </Group>
        </form>
      </Dialog>
    </>
  );
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '[]');
  } catch {
    return [];
  }
}
