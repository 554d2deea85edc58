import type { PolicyFinding } from '@habeas/contract/api';
import { Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { createLazyRoute } from '@tanstack/react-router';
import { Facts } from '../parts/facts.tsx';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { Failure, Loading, PageHeader } from '../parts/states.tsx';
import { ToneBadge } from '../parts/tone-badge.tsx';
import { CaseForm } from './case-form.tsx';
import { Explanation } from './explanation.tsx';
import { policyQuery } from './queries.ts';

export const route = createLazyRoute('/policy')({ component: PolicyPage });

/** The rules that the server works by, and what they say of a case. The case is in the address. */
function PolicyPage() {
  const asked = route.useSearch();
  const { right } = asked;
  const navigate = route.useNavigate();
  const { data: policy, error, refetch } = useQuery(policyQuery);
  return (
    <>
      <PageHeader title="Policy" />
      {error !== null && policy === undefined ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : policy === undefined ? (
        <Loading rows={3} />
      ) : (
        <Stack gap="xl">
          <Facts
            facts={[
              { name: 'Rules', value: policy.rules === 0 ? 'none: what holds without rules' : policy.rules },
              { name: 'Law, unless a request names one', value: policy.default_regime },
              { name: 'Kind of person, unless it says', value: policy.default_subject_kind },
              { name: 'Version', value: <Name>{policy.version}</Name> },
            ]}
          />
          {policy.findings.length > 0 && <Findings findings={policy.findings} />}
          <CaseForm key={JSON.stringify(asked)} asked={asked} ask={(search) => void navigate({ search })} />
          {right !== undefined && <Explanation asked={{ ...asked, right }} />}
        </Stack>
      )}
    </>
  );
}

function Findings({ findings }: { readonly findings: readonly PolicyFinding[] }) {
  return (
    <ListSection
      title="What is doubtful in it"
      query={{ data: findings }}
      none=""
      head={['What', 'Where', 'How grave']}
      keyOf={(finding) => JSON.stringify(finding)}
      cells={({ severity, message, file, line }) => [
        <Words key="what">{message}</Words>,
        <Words key="where">{placeOf(file, line)}</Words>,
        <ToneBadge key="grave" tone={severity === 'error' ? 'bad' : 'watch'}>
          {severity}
        </ToneBadge>,
      ]}
    />
  );
}

const placeOf = (file: string, line: number | null) => (line === null ? file : `${file}, line ${line}`);
