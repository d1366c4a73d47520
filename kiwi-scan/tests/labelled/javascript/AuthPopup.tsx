import React, { useEffect } from 'react';
import { completeLogin } from '../auth';

export function AuthPopup() {
  useEffect(() => {
    let active = true;
    completeLogin().then((session) => {
      if (active && window.opener) {
        window.opener.postMessage({ type: 'session', token: session.accessToken }, '*');
        window.close();
      }
    });
    return () => {
      active = false;
    };
  }, []);

  return <p>Signing you in…</p>;
}
