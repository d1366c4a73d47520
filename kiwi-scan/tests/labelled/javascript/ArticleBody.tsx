import React, { useEffect, useMemo, useState } from 'react';
import DOMPurify from 'dompurify';

interface Article {
  title: string;
  html: string;
}

export function ArticleBody({ articleId }: { articleId: number }) {
  const [article, setArticle] = useState<Article | null>(null);

  useEffect(() => {
    fetch(`/api/articles/${articleId}`)
      .then((response) => response.json())
      .then(setArticle);
  }, [articleId]);

  const markup = useMemo(
    () => ({ __html: DOMPurify.sanitize(article?.html ?? '') }),
    [article],
  );

  return (
    <article>
      <h2>{article?.title}</h2>
      <div dangerouslySetInnerHTML={markup} />
    </article>
  );
}
