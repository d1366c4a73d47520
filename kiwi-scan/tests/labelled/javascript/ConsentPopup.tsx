import React, { useEffect } from 'react';
import { completeConsent } from '../auth';

const OPENER_ORIGIN = 'https://app.example.com';

export function ConsentPopup() {
  useEffect(() => {
    let active = true;
    completeConsent().then((consent) => {
      if (active && window.opener) {
        window.opener.postMessage({ type: 'consent', grant: consent.grantId }, OPENER_ORIGIN);
        window.close();
      }
    });
    return () => {
      active = false;
    };
  }, []);

  return <p>Saving your choice…</p>;
}
