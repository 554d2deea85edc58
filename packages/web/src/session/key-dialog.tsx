import type { SessionView } from '@habeas/contract/api';
import { Stack, Text } from '@mantine/core';
import { use, useEffect, useState } from 'react';
import { answerKeyNeeded, type WhyKeyNeeded } from '../api/key-needed.ts';
import { confirmSession, getSession, startSession } from '../api/operations.ts';
import { Dialog } from '../parts/dialog.tsx';
import { KeyForm } from './key-form.tsx';
import { useOtherTabs } from './other-tabs.ts';
import { ProviderWindowButton } from './provider-button.tsx';
import { SessionContext, useSetSession } from './session.tsx';

const WORDS = {
  expired: {
    title: 'Sign in again',
    text: 'Your session has ended. What you typed is still here and goes on once you signed in.',
    submit: 'Sign in',
    act: startSession,
  },
  confirm: {
    title: 'Show that it is you',
    text: 'What you are about to do cannot be undone. For ten minutes you will not be asked again.',
    submit: 'Confirm',
    act: confirmSession,
  },
} as const;

interface Question {
  readonly why: WhyKeyNeeded;
  readonly answer: (shown: boolean) => void;
}

/** Asks for the key over the page that is open, and lets what waited for it go on. */
export function KeyDialog() {
  const [question, setQuestion] = useState<Question>();
  const session = use(SessionContext);
  const setSession = useSetSession();

  useEffect(
    () =>
      answerKeyNeeded(
        (why) =>
          new Promise((resolve, reject) => {
            const answer = (shown: boolean) => {
              setQuestion(undefined);
              if (shown) resolve();
              else reject(new Error('The key was not shown.'));
            };
            setQuestion({ why, answer });
          }),
      ),
    [],
  );

  // Whoever signed in again in another tab of this browser did so here.
  useOtherTabs((actor) => {
    if (actor !== session?.actor || question === undefined) return;
    if (question.why === 'expired') question.answer(true);
    else
      void getSession({}).then((now) => {
        if (Date.parse(now.confirmed_until) > Date.now()) done(now);
      });
  });

  const done = (session: SessionView) => {
    setSession(session);
    question?.answer(true);
  };
  const words = WORDS[question?.why ?? 'expired'];
  return (
    <Dialog above opened={question !== undefined} close={() => question?.answer(false)} title={words.title}>
      {session?.confirm_by === 'sign_in' ? (
        <Stack gap="md">
          <Text>{words.text}</Text>
          <ProviderWindowButton confirm={question?.why === 'confirm'} />
        </Stack>
      ) : (
        <KeyForm act={(key) => words.act({ body: { key } })} done={done} submit={words.submit}>
          <Text>
            {words.text} {question?.why === 'confirm' && 'Show your key once more.'}
          </Text>
        </KeyForm>
      )}
    </Dialog>
  );
}
