import { api } from '@habeas/contract';
import { Option } from 'commander';

/** `--regime`: the law that a request is answered under. */
export function regimeOption(): Option {
  return new Option('--regime <regime>', "the law, such as uk-gdpr (default: the policy's)").choices(
    api.regimeSchema.options,
  );
}

/** `--subject-kind`: what the person is to the organization. */
export function subjectKindOption(): Option {
  return new Option(
    '--subject-kind <kind>',
    "what the person is to the organization (default: the policy's)",
  ).choices(api.subjectKindSchema.options);
}
