import { api } from '@habeas/contract';
import * as z from 'zod';
import type { OpenedMessage } from './signed-message.ts';

/** A request of an agent that Habeas can carry out. */
export interface Exercise {
  readonly right: api.Right;
  /** Takes back an opt-out of before. */
  readonly lift: boolean;
  /** Undefined: the agent names none, and asks for voluntary processing. */
  readonly regime: 'ccpa' | undefined;
  /** Whom the agent verified. */
  readonly identities: readonly api.Identity[];
  /** Whom it names, verified or not. */
  readonly claimed: readonly api.Identity[];
  readonly agentRequestId: string | null;
  readonly callbackUrl: string | null;
}

/** Rights actions (Data Rights Protocol 1.0 §3.01), in both spellings of the specification, and what the product does for each. */
const RIGHTS: Readonly<Record<string, Pick<Exercise, 'right' | 'lift'>>> = {
  deletion: { right: 'erasure', lift: false },
  access: { right: 'access', lift: false },
  'access:specific': { right: 'access', lift: false },
  'sale:opt-out': { right: 'opt_out_of_sale', lift: false },
  'sale:opt_out': { right: 'opt_out_of_sale', lift: false },
  'sale:opt-in': { right: 'opt_out_of_sale', lift: true },
  'sale:opt_in': { right: 'opt_out_of_sale', lift: true },
};

const SUPPORTED_ACTIONS: readonly string[] = Object.keys(RIGHTS);

const claimsSchema = z.looseObject({
  'drp.version': z.string().regex(/^(0\.9(\.\d{1,3})?|1\.\d{1,3}(\.\d{1,3})?)$/, 'a version from 0.9 to 1.x'),
  exercise: z.string().max(100),
  regime: z.string().max(100).nullish(),
  relationships: z.array(z.string().max(200)).max(50).nullish(),
  status_callback: z.string().max(2_000).nullish(),
  'agent-request-id': z
    .string()
    .regex(/^[A-Za-z0-9._:/-]{1,200}$/, 'letters, digits and . _ : / -, so that it names nobody')
    .nullish(),
  name: z.string().max(1_000).nullish(),
  email: z.string().max(1_000).nullish(),
  email_verified: z.boolean().nullish(),
  phone_number: z.string().max(100).nullish(),
  phone_number_verified: z.boolean().nullish(),
  power_of_attorney: z.string().max(10_000).nullish(),
});

/** E.164, as §3.04 wants it. */
const E_164 = /^\+[1-9]\d{6,14}$/;

/**
 * Reads what an agent asks for, or says what is wrong with it. Pure. Of the claims about the person only e-mail address and phone
 * number identify somebody, and only where the agent has verified them (§3.04): many people have the same name, and who moves in
 * has the address of who moved out. Nobody is found by a claim that anybody could have typed.
 */
export function readExercise(content: OpenedMessage['content']): Exercise | { readonly mistake: string } {
  const parsed = claimsSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return {
      mistake: `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not as the protocol has it'}`,
    };
  }
  const claims = parsed.data;
  const right = Object.hasOwn(RIGHTS, claims.exercise) ? RIGHTS[claims.exercise] : undefined;
  if (right === undefined) {
    return { mistake: `Unsupported rights action. Supported: ${SUPPORTED_ACTIONS.join(', ')}.` };
  }
  if (typeof claims.regime === 'string' && claims.regime !== 'ccpa') {
    return { mistake: 'Unsupported regime. Send ccpa, or none for voluntary processing.' };
  }
  const phone = claims.phone_number;
  if (typeof phone === 'string' && !E_164.test(phone)) {
    return { mistake: 'phone_number is not in E.164, such as +14155550100.' };
  }
  const email = identity('email', claims.email);
  const phoneNumber = identity('phone_number', phone);
  const claimed = [...email, ...phoneNumber];
  const identities = [
    ...(claims.email_verified === true ? email : []),
    ...(claims.phone_number_verified === true ? phoneNumber : []),
  ];
  if (!z.array(api.identitySchema).safeParse(claimed).success) {
    return { mistake: 'A claim holds characters that cannot be stored.' };
  }
  return {
    ...right,
    regime: typeof claims.regime === 'string' ? 'ccpa' : undefined,
    identities,
    claimed,
    agentRequestId: claims['agent-request-id'] ?? null,
    callbackUrl: claims.status_callback ?? null,
  };
}

function identity(type: string, value: string | null | undefined): readonly api.Identity[] {
  return value === undefined || value === null || value === '' ? [] : [{ type, value }];
}
