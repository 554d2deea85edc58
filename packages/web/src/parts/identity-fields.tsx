import { Group, TextInput } from '@mantine/core';
import { useId } from 'react';

/** Who is meant: fields by the names `type` and `value`. What is typed goes into no address and is kept nowhere. */
export function IdentityFields() {
  const known = useId();
  return (
    <Group align="flex-start" grow preventGrowOverflow={false} wrap="wrap">
      <TextInput
        name="type"
        label="Type"
        description="As datasets name it"
        defaultValue="email"
        required
        maxLength={63}
        pattern="[a-z][a-z0-9_]*"
        list={known}
        autoComplete="off"
      />
      <TextInput
        name="value"
        label="Value"
        description="Such as the address"
        required
        maxLength={1_000}
        autoComplete="off"
        data-autofocus
      />
      <datalist id={known}>
        {['email', 'phone_number', 'user_id'].map((type) => (
          <option key={type} value={type} />
        ))}
      </datalist>
    </Group>
  );
}
