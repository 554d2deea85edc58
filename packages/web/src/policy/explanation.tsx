import type { PolicyExplanation } from '@habeas/contract/api';
import { List, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { ListSection } from '../parts/list-section.tsx';
import { Name, Words } from '../parts/name.tsx';
import { RIGHT_WORDS } from '../requests/words.ts';
import { type Case, explanationQuery } from './queries.ts';

type DecidedBy = PolicyExplanation['wait_seconds']['decided_by'];

interface Part {
  readonly name: string;
  readonly value: string;
  readonly by: DecidedBy;
}

/** The decision, part by part, each with the rule that it comes from. */
export function Explanation({ asked }: { readonly asked: Case }) {
  const { data, error, refetch } = useQuery(explanationQuery(asked));
  const about =
    data === undefined
      ? 'The decision'
      : [RIGHT_WORDS[data.right], data.category, data.regime, data.subject_kind]
          .filter((word) => word !== null)
          .join(', ');
  return (
    <Stack role="status" aria-label="The decision">
      <ListSection
        title={about}
        query={{ data: data && partsOf(data), error, refetch }}
        none=""
        head={['What', 'Decision', 'By the rule', 'Where it stands']}
        keyOf={({ name }) => name}
        cells={({ name, value, by }) => [
          name,
          <Words key="value">{value}</Words>,
          by.rule === 'default' ? 'none: what holds without one' : <Name key="rule">{by.rule}</Name>,
          by.line === null ? '' : <Words key="place">{`${by.file}, line ${by.line}`}</Words>,
        ]}
      />
      {data !== undefined && <Considered rules={data.considered} />}
    </Stack>
  );
}

function Considered({ rules }: { readonly rules: PolicyExplanation['considered'] }) {
  return (
    <section aria-label="Rules that fit">
      <Title order={2} mb="xs">
        Rules that fit, the most specific first
      </Title>
      {rules.length === 0 ? (
        <Text c="dimmed">No rule fits this case.</Text>
      ) : (
        <List type="ordered">
          {rules.map(({ rule, line, specificity }) => (
            <List.Item key={`${rule} ${line}`}>
              <Name>{rule}</Name>, by {specificity}
            </List.Item>
          ))}
        </List>
      )}
    </section>
  );
}

function partsOf(explanation: PolicyExplanation): readonly Part[] {
  const {
    data,
    wait_seconds: wait,
    approval,
    approvers,
    four_eyes_above: four,
    portable,
    owner,
  } = explanation;
  const parts: readonly (Part | false)[] = [
    data !== null && { name: 'The data', value: dataWords(data), by: data.decided_by },
    { name: 'It waits', value: waitWords(wait.value), by: wait.decided_by },
    {
      name: 'Approval',
      value: approval.value === 'required' ? 'a person approves before it starts' : 'not needed',
      by: approval.decided_by,
    },
    approvers.value.length > 0 && {
      name: 'Who may approve',
      value: approvers.value.join(', '),
      by: approvers.decided_by,
    },
    {
      name: 'Two people approve',
      value: four.value === null ? 'never' : `with more than ${four.value.toLocaleString()} rows`,
      by: four.decided_by,
    },
    explanation.right === 'portability' && {
      name: 'Hands over',
      value: portable.value.replaceAll('-', ' '),
      by: portable.decided_by,
    },
    { name: 'Who answers for it', value: owner.value ?? 'no team', by: owner.decided_by },
  ];
  return parts.filter((part) => part !== false);
}

function dataWords(data: NonNullable<PolicyExplanation['data']>): string {
  const { action, mask, values, reason, legal_basis: basis, until, justification } = data;
  if (action === 'allow') return 'what was asked for is done';
  if (action === 'mask') return `the row stays, the value is replaced: ${mask?.strategy ?? 'null'}`;
  if (action === 'soft-delete') return `the row is marked as deleted, its values are ${values ?? 'left'}`;
  return [
    `it is kept: ${reason ?? justification ?? 'no reason is given'}`,
    basis !== null && `by ${basis}`,
    until !== null && `until ${until}`,
  ]
    .filter((words) => words !== false)
    .join(', ');
}

const DAY = 86_400;
const HOUR = 3_600;

/** Whole days or hours where it is that, else seconds. */
function waitWords(seconds: number): string {
  if (seconds === 0) return 'not at all';
  const [count, unit] =
    seconds % DAY === 0
      ? [seconds / DAY, 'day']
      : seconds % HOUR === 0
        ? [seconds / HOUR, 'hour']
        : [seconds, 'second'];
  return `${count} ${unit}${count === 1 ? '' : 's'} from its receipt`;
}
