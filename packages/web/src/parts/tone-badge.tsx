import { Badge } from '@mantine/core';
import type { ReactNode } from 'react';
import { COLOR_OF, type Tone } from '../theme/tones.ts';

/** A state in one word, coloured by what it means. */
export function ToneBadge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <Badge variant="light" color={COLOR_OF[tone]} tt="none" className="tone">
      {children}
    </Badge>
  );
}
