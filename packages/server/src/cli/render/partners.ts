import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';
import { printable } from './text.ts';

/** Partners, without their tokens. */
export function partnerLines(
  partners: readonly api.PartnerView[],
  options: { readonly width: number; readonly paint: Paint },
): readonly string[] {
  const { width, paint } = options;
  return table<api.PartnerView>({
    columns: [
      { title: 'PARTNER', value: ({ id }) => id },
      { title: 'SPEAKS', value: ({ protocol }) => (protocol === 'drp' ? 'DRP' : 'OpenDSR') },
      { title: 'AS', value: ({ partner_id: id }) => printable(id), flexible: true },
      { title: 'NAME', value: ({ name }) => printable(name), flexible: true },
      {
        title: 'STATE',
        value: stateOf,
        paint: (text, partner) => (partner.revoked_at === null ? paint.good(text) : paint.quiet(text)),
      },
    ],
    rows: partners,
    width,
    paint,
  });
}

function stateOf({ revoked_at: revoked, source }: api.PartnerView): string {
  if (revoked !== null) return `revoked ${revoked.slice(0, 10)}`;
  return source === 'directory' ? 'by directory' : 'registered';
}
