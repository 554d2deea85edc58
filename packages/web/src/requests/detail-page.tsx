import { Stack, Tabs, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { ButtonLink, TextLink } from '../parts/links.tsx';
import { Failure, Loading, PageHeader } from '../parts/states.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { ReceiptPanel } from '../receipt/receipt-panel.tsx';
import { useMay } from '../session/session.tsx';
import { DeadlinePanel } from './deadline-panel.tsx';
import { KeptPanel } from './kept-panel.tsx';
import { PlanPanel } from './plan-panel.tsx';
import { requestQuery } from './queries.ts';
import { RequestActs } from './request-acts.tsx';
import { RequestFacts } from './request-facts.tsx';
import { tabSchema } from './tab.ts';
import { Timeline } from './timeline.tsx';
import { RIGHT_WORDS, STATE_TONES } from './words.ts';

export const route = createLazyRoute('/requests/$id')({ component: DetailPage });

function DetailPage() {
  const { id } = route.useParams();
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const maySeeMap = useMay('map:read');
  const { data: request, error, refetch } = useQuery(requestQuery(id));
  if (error !== null && request === undefined)
    return (
      <>
        <PageHeader title="Request" />
        <Failure error={error} retry={() => void refetch()} />
        <TextLink to="/requests" mt="md" display="block">
          All requests
        </TextLink>
      </>
    );
  if (request === undefined) return <Loading />;
  const ended = request.completed_at !== null;
  return (
    <Stack>
      <div>
        <Text size="sm" c="dimmed">
          <TextLink to="/requests">Requests</TextLink> /{' '}
          <Text span ff="monospace" size="sm">
            {id}
          </Text>
        </Text>
        <PageHeader
          title={
            <>
              {RIGHT_WORDS[request.right]}{' '}
              <ToneBadge tone={STATE_TONES[request.state]}>{request.state}</ToneBadge>
            </>
          }
        >
          {maySeeMap && (
            <ButtonLink variant="default" to="/map" search={{ request: id }}>
              Show on the map
            </ButtonLink>
          )}
          <RequestActs request={request} />
        </PageHeader>
        <RequestFacts request={request} />
      </div>
      <Tabs
        value={tab ?? 'plan'}
        onChange={(next) =>
          void navigate({ search: { tab: tabSchema.optional().catch(undefined).parse(next) } })
        }
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="plan">Plan and tasks</Tabs.Tab>
          <Tabs.Tab value="deadline">Deadline</Tabs.Tab>
          <Tabs.Tab value="kept">Kept and left</Tabs.Tab>
          <Tabs.Tab value="timeline">Timeline</Tabs.Tab>
          {ended && <Tabs.Tab value="receipt">Receipt</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="plan">
          <PlanPanel id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="deadline">
          <DeadlinePanel id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="kept">
          <KeptPanel id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="timeline">
          <Timeline id={id} />
        </Tabs.Panel>
        <Tabs.Panel value="receipt">{ended && <ReceiptPanel id={id} />}</Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
