import { type RequestFilter, regimeSchema, requestStateSchema, rightSchema } from '@habeas/contract/api';
import { Button, Group, NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { RIGHT_WORDS } from './words.ts';

export interface FilterBarProps {
  readonly filter: RequestFilter;
  readonly show: (filter: RequestFilter) => void;
}

const ANY = { value: '', label: 'Any' };
const STATES = [ANY, ...requestStateSchema.options.map((state) => ({ value: state, label: state }))];
const RIGHTS = [ANY, ...rightSchema.options.map((right) => ({ value: right, label: RIGHT_WORDS[right] }))];
const LAWS = [ANY, ...regimeSchema.options.map((law) => ({ value: law, label: law }))];
const ENDED = [
  { value: '', label: 'All' },
  { value: 'true', label: 'Open' },
  { value: 'false', label: 'Ended' },
];
const ORDERS = [
  { value: '', label: 'Newest first' },
  { value: 'due', label: 'First due first' },
];

/** What the list is filtered by. Each change is an address of its own, so that the back button undoes it. */
export function FilterBar({ filter, show }: FilterBarProps) {
  const set = (name: keyof RequestFilter, value: string) => {
    const { [name]: _, ...rest } = filter;
    // The address is read by the API's own schema, which refuses what does not fit.
    show((value === '' ? rest : { ...rest, [name]: value }) as RequestFilter);
  };
  const select = (
    name: keyof RequestFilter,
    label: string,
    data: readonly { value: string; label: string }[],
  ) => (
    <NativeSelect
      label={label}
      data={[...data]}
      value={filter[name] ?? ''}
      onChange={(event) => set(name, event.currentTarget.value)}
    />
  );
  return (
    <Group align="flex-end" gap="sm" mb="md" role="search" aria-label="Filter">
      <Typed
        label="Id begins with"
        value={filter.id ?? ''}
        set={(value) => set('id', value.trim().toLowerCase())}
      />
      {select('open', 'Which', ENDED)}
      {select('right', 'Right', RIGHTS)}
      {select('state', 'State', STATES)}
      {select('regime', 'Law', LAWS)}
      <Typed label="Owner" value={filter.owner ?? ''} set={(value) => set('owner', value.trim())} />
      <TextInput
        type="date"
        label="Due before"
        value={filter.due_before?.slice(0, 10) ?? ''}
        onChange={(event) => set('due_before', event.currentTarget.value)}
      />
      {select('order', 'Order', ORDERS)}
      {Object.keys(filter).length > 0 && (
        <Button variant="subtle" onClick={() => show({})}>
          Clear
        </Button>
      )}
    </Group>
  );
}

interface TypedProps {
  readonly label: string;
  readonly value: string;
  readonly set: (value: string) => void;
}

/** A text that counts when its writer is done with it: by Enter, or by leaving it. */
function Typed({ label, value, set }: TypedProps) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const done = () => {
    if (text !== value) set(text);
  };
  return (
    <TextInput
      label={label}
      value={text}
      maxLength={100}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={done}
      onKeyDown={(event) => {
        if (event.key === 'Enter') done();
      }}
    />
  );
}
