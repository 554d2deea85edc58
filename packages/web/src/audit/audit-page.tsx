import type { AuditEntryView } from '@habeas/contract/api';
import { Button, Group, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { Instant } from '../parts/instant.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name } from '../parts/name.tsx';
import { ShowMore } from '../parts/show-more.tsx';
import { PageHeader } from '../parts/states.tsx';
import { auditQuery } from './queries.ts';

export const route = createLazyRoute('/audit')({ component: AuditPage });

/** Who did what, when: the log whose every entry can be proved. */
function AuditPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(auditQuery(filter));
  const { data, error, refetch } = query;
  const entries = data?.pages.flatMap(({ items }) => items);
  return (
    <>
      <PageHeader title="Audit" />
      <form
        key={filter.subject ?? ''}
        onSubmit={(event) => {
          event.preventDefault();
          const subject = String(new FormData(event.currentTarget).get('subject')).trim();
          void navigate({ search: subject === '' ? {} : { subject } });
        }}
      >
        <Group align="flex-end" mb="md" role="search">
          <TextInput
            name="subject"
            label="About the id"
            description="Of a request, a task, a key, a member, a hold"
            defaultValue={filter.subject ?? ''}
            maxLength={200}
          />
          <Button type="submit" variant="default">
            Show
          </Button>
        </Group>
      </form>
      <ListSection<AuditEntryView>
        title="Entries, newest first"
        query={{ data: entries, error, refetch }}
        none="No entry is about this."
        head={['Number', 'When', 'Who', 'What', 'About', 'Details']}
        keyOf={({ id }) => id}
        cells={(entry) => [
          <span key="number" className="numbers">
            {entry.sequence}
          </span>,
          <Instant key="at" at={entry.at} />,
          <Name key="who">{entry.actor}</Name>,
          entry.action,
          <Name key="about">{entry.subject}</Name>,
          <Name key="details">
            {Object.entries(entry.details)
              .map(([name, value]) => `${name}: ${value}`)
              .join(', ')}
          </Name>,
        ]}
      />
      <ShowMore query={query} shown={entries?.length} />
    </>
  );
}
