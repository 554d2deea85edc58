import { regimeSchema, rightSchema, subjectKindSchema } from '@habeas/contract/api';
import { Button, Group, NativeSelect, TextInput, Title } from '@mantine/core';
import { textOf } from '../parts/dialog-form.tsx';
import { RIGHT_WORDS } from '../requests/words.ts';
import type { Case, Draft } from './queries.ts';

export interface CaseFormProps {
  readonly asked: Draft;
  readonly ask: (asked: Case) => void;
}

const AS_THE_POLICY_SAYS = { value: '', label: 'as the policy says' };
const choices = (values: readonly string[]) => [
  AS_THE_POLICY_SAYS,
  ...values.map((value) => ({ value, label: value })),
];

/** The case that the policy is asked about. */
export function CaseForm({ asked, ask }: CaseFormProps) {
  return (
    <section aria-label="Ask it about a case">
      <Title order={2} mb="xs">
        Ask it about a case
      </Title>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          ask(caseOf(new FormData(event.currentTarget)));
        }}
      >
        <Group align="flex-end" role="search" aria-label="Case">
          <NativeSelect
            name="right"
            label="Right"
            defaultValue={asked.right ?? 'erasure'}
            data={rightSchema.options.map((value) => ({ value, label: RIGHT_WORDS[value] }))}
          />
          <TextInput
            name="category"
            label="Data category"
            placeholder="user.financial"
            defaultValue={asked.category ?? ''}
            maxLength={200}
            pattern="[a-z_]+(\.[a-z_]+)*"
            title="Words with dots between them, such as user.financial"
          />
          <NativeSelect
            name="regime"
            label="Law"
            defaultValue={asked.regime ?? ''}
            data={choices(regimeSchema.options)}
          />
          <NativeSelect
            name="subject_kind"
            label="Kind of person"
            defaultValue={asked.subject_kind ?? ''}
            data={choices(subjectKindSchema.options)}
          />
          <Button type="submit">Ask</Button>
        </Group>
      </form>
    </section>
  );
}

/** Every choice is one of the contract's; what was left empty is left out. */
function caseOf(form: FormData): Case {
  const category = textOf(form, 'category');
  const regime = regimeSchema.safeParse(form.get('regime')).data;
  const kind = subjectKindSchema.safeParse(form.get('subject_kind')).data;
  return {
    right: rightSchema.parse(form.get('right')),
    ...(category === '' ? {} : { category }),
    ...(regime === undefined ? {} : { regime }),
    ...(kind === undefined ? {} : { subject_kind: kind }),
  };
}
