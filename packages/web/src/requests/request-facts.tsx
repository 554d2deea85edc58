import type { RequestView } from '@habeas/contract/api';
import { Facts } from '../parts/facts.tsx';
import { Instant } from '../parts/instant.tsx';
import { TextLink } from '../parts/links.tsx';
import { Name, Words } from '../parts/name.tsx';
import { useMay } from '../session/session.tsx';
import { DueBy } from './due-by.tsx';

const moment = (at: string | null) => at !== null && <Instant at={at} />;

/** What a request is, at a glance. Whom it is about is never shown: values of identities do not come back. */
export function RequestFacts({ request }: { readonly request: RequestView }) {
  const mayDownload = useMay('personal-data:read');
  const { approval, matched, package: made } = request;
  return (
    <Facts
      facts={[
        { name: 'Received', value: <Instant at={request.received_at} /> },
        { name: 'Due', value: <DueBy request={request} /> },
        { name: 'Law', value: request.regime },
        { name: 'Person', value: request.subject_kind },
        { name: 'Identified by', value: request.identity_types.join(', ') },
        { name: 'Team that answers', value: request.owner !== null && <Name>{request.owner}</Name> },
        { name: 'Known to a system', value: matched === null ? null : matched ? 'yes' : 'no' },
        { name: 'Dry run', value: request.dry_run && 'yes: nothing is changed' },
        { name: 'Ends a former one', value: request.lift && 'yes' },
        { name: 'Fields', value: request.targets.join(', ') },
        { name: 'Purposes', value: request.purposes.join(', ') },
        { name: 'Approved by', value: approval !== null && approvalOf(approval) },
        { name: 'Under legal holds', value: request.legal_holds.join(', ') },
        { name: 'Starts', value: request.state === 'waiting' && moment(request.waits_until) },
        { name: 'Clock stopped', value: moment(request.clock_stopped_at) },
        { name: 'Ended', value: moment(request.completed_at) },
        { name: 'Last copy ends', value: moment(request.residual_until) },
        {
          name: 'Appeal of',
          value: request.appeal_of !== null && (
            <TextLink to="/requests/$id" params={{ id: request.appeal_of }}>
              {request.appeal_of}
            </TextLink>
          ),
        },
        { name: 'Reason', value: request.reason !== null && <Words>{request.reason}</Words> },
        {
          name: 'Package',
          value: made !== null && (
            <>
              {mayDownload ? (
                <a href={`/api/v1/requests/${request.id}/package`}>{sizeOf(made.bytes)}</a>
              ) : (
                sizeOf(made.bytes)
              )}
              , until <Instant at={made.expires_at} as="day" />
            </>
          ),
        },
      ]}
    />
  );
}

function approvalOf({ needed, given }: NonNullable<RequestView['approval']>): string {
  return `${given.length} of ${needed}${given.length === 0 ? '' : `: ${given.join(', ')}`}`;
}

/** `1.4 MB`. */
function sizeOf(bytes: number): string {
  const [size, unit] =
    bytes < 1_000 ? [bytes, 'byte'] : bytes < 1e6 ? [bytes / 1e3, 'kilobyte'] : [bytes / 1e6, 'megabyte'];
  return new Intl.NumberFormat(undefined, { style: 'unit', unit, maximumFractionDigits: 1 }).format(size);
}
