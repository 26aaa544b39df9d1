"""SQLAlchemy over psycopg: what an application does with it."""

import datetime
import decimal
import enum

import sqlalchemy as sa
from sqlalchemy import orm
from transcript import case, main, say, say_error


class Base(orm.DeclarativeBase):
    metadata = sa.MetaData(schema="conformance")


class Mood(enum.Enum):
    sad = "sad"
    ok = "ok"


class Author(Base):
    __tablename__ = "author"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(50), unique=True)
    mood: orm.Mapped[Mood] = orm.mapped_column(default=Mood.ok)
    joined: orm.Mapped[datetime.datetime] = orm.mapped_column(sa.DateTime(timezone=True))
    posts: orm.Mapped[list["Post"]] = orm.relationship(
        back_populates="author", cascade="all, delete-orphan", order_by="Post.id"
    )


class Post(Base):
    __tablename__ = "post"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey(Author.id))
    title: orm.Mapped[str]
    price: orm.Mapped[decimal.Decimal] = orm.mapped_column(sa.Numeric(10, 2))
    tags: orm.Mapped[list[str]] = orm.mapped_column(sa.ARRAY(sa.Text))
    extra: orm.Mapped[dict] = orm.mapped_column(sa.JSON)
    version: orm.Mapped[int] = orm.mapped_column(default=1)
    author: orm.Mapped[Author] = orm.relationship(back_populates="posts")
    __mapper_args__ = {"version_id_col": version}


def engine(url, **options):
    return sa.create_engine(url.replace("postgres://", "postgresql+psycopg://", 1), **options)


def sample(number):
    return Author(
        id=number,
        name=f"author {number}",
        joined=datetime.datetime(2024, 1, number, tzinfo=datetime.timezone.utc),
        posts=[
            Post(
                title=f"post {number}.{place} ☃",
                price=decimal.Decimal(place) / 4,
                tags=["a", str(place)],
                extra={"n": [place, None]},
            )
            for place in range(3)
        ],
    )


def failing(function):
    try:
        function()
    except sa.exc.DBAPIError as error:
        say(type(error).__name__, end_of(error))
    except Exception as error:
        say(type(error).__name__, str(error).split("\n")[0])


def end_of(error):
    say_error(error.orig)
    return error.connection_invalidated


@case("create, insert, select, update, delete")
def whole(url):
    database = engine(url)
    Base.metadata.create_all(database)
    with orm.Session(database) as session:
        session.add_all([sample(number) for number in range(1, 6)])
        session.commit()
        authors = session.scalars(sa.select(Author).options(orm.selectinload(Author.posts)).order_by(Author.id)).all()
        say(
            [
                (
                    author.name,
                    author.mood.name,
                    author.joined,
                    [(post.title, post.price, post.tags, post.extra) for post in author.posts],
                )
                for author in authors
            ]
        )
        authors[0].name = "renamed"
        authors[0].posts[1].title = "changed"
        del authors[1].posts[0]
        session.delete(authors[2])
        session.commit()
        say(
            session.execute(
                sa.select(Author.name, sa.func.count(Post.id), sa.func.sum(Post.price))
                .outerjoin(Post)
                .group_by(Author.name)
                .order_by(Author.name)
            ).all()
        )
        joined = (
            session.scalars(
                sa.select(Author)
                .options(orm.joinedload(Author.posts))
                .where(Author.name.in_(["renamed", "author 4"]))
                .order_by(Author.id)
            )
            .unique()
            .all()
        )
        say([(author.name, len(author.posts)) for author in joined])
    Base.metadata.drop_all(database)
    database.dispose()


@case("rollback, savepoints and refused rows")
def rollback(url):
    database = engine(url)
    Base.metadata.create_all(database)
    with orm.Session(database) as session:
        session.add(sample(1))
        session.rollback()
        say(session.scalar(sa.select(sa.func.count()).select_from(Author)))
        session.add(sample(1))
        session.flush()
        try:
            with session.begin_nested():
                session.add(
                    Author(id=2, name="author 1", joined=datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc))
                )
                session.flush()
        except sa.exc.IntegrityError as error:
            say_error(error.orig)
        session.add(sample(3))
        session.commit()
        say(session.scalars(sa.select(Author.name).order_by(Author.id)).all())
        session.add(sample(3))
        failing(session.commit)
        session.rollback()
    # Optimistic locking: rows changed counts reach the client rightly.
    with orm.Session(database) as one, orm.Session(database) as two:
        first, second = (
            one.scalars(sa.select(Post).order_by(Post.id)).first(),
            two.scalars(sa.select(Post).order_by(Post.id)).first(),
        )
        first.title = "one"
        one.commit()
        second.title = "two"
        failing(two.commit)
    Base.metadata.drop_all(database)
    database.dispose()


@case("bulk inserts, RETURNING, streams")
def bulk(url):
    database = engine(url)
    items = sa.Table(
        "items",
        sa.MetaData(schema="conformance"),
        sa.Column("id", sa.Integer, sa.Identity(), primary_key=True),
        sa.Column("n", sa.Integer),
    )
    items.create(database)
    with database.begin() as connection:
        result = connection.execute(
            sa.insert(items).returning(items.c.id, items.c.n, sort_by_parameter_order=True),
            [{"n": n} for n in range(3000)],
        )
        rows = result.all()
        say(len(rows), rows[0], rows[-1], all(id == n + 1 for id, n in rows))
    with database.connect() as connection:
        total = 0
        for part in (
            connection.execution_options(stream_results=True, max_row_buffer=200)
            .execute(sa.select(items.c.n))
            .partitions(100)
        ):
            total += sum(row.n for row in part)
        say(total)
    with database.begin() as connection:
        say(
            connection.execute(sa.update(items).where(items.c.n < 10).values(n=-1)).rowcount,
            connection.execute(sa.delete(items).where(items.c.n > 2000)).rowcount,
        )
    items.drop(database)
    database.dispose()


@case("reflection")
def reflection(url):
    database = engine(url)
    Base.metadata.create_all(database)
    inspector = sa.inspect(database)
    for table in sorted(inspector.get_table_names(schema="conformance")):
        say(
            table,
            [
                (column["name"], str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table, schema="conformance")
            ],
            inspector.get_pk_constraint(table, schema="conformance"),
            inspector.get_foreign_keys(table, schema="conformance"),
            inspector.get_unique_constraints(table, schema="conformance"),
        )
    say(inspector.get_enums(schema="conformance"))
    Base.metadata.drop_all(database)
    database.dispose()


@case("a pool that pings, isolation levels, and a lost connection")
def pool(url):
    database = engine(url, pool_size=3, max_overflow=2, pool_pre_ping=True)
    for turn in range(10):
        with database.connect() as one, database.connect() as two:
            say(one.scalar(sa.text("SELECT :n"), {"n": turn}), two.scalar(sa.text("SELECT :n"), {"n": -turn}))
    for level in ("SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "AUTOCOMMIT"):
        with database.connect().execution_options(isolation_level=level) as connection:
            say(level, connection.get_isolation_level(), connection.scalar(sa.text("SHOW transaction_isolation")))
    with database.connect() as connection:
        say(connection.scalar(sa.text("SHOW transaction_isolation")))
        try:
            connection.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        except sa.exc.OperationalError as error:
            say("lost", error.connection_invalidated, error.orig.sqlstate)
    with database.connect() as connection:
        say(connection.scalar(sa.text("SELECT 'a new one'")))
    database.dispose()


@case("many sessions in threads", deadline=60)
def threads(url):
    import concurrent.futures

    database = engine(url, pool_size=6, max_overflow=0)
    Base.metadata.create_all(database)
    with orm.Session(database) as session:
        session.add_all([sample(number) for number in range(1, 9)])
        session.commit()

    def work(number):
        with orm.Session(database) as session:
            author = session.get(Author, number % 8 + 1)
            return author.id == number % 8 + 1 and all(
                post.title.startswith(f"post {author.id}.") for post in author.posts
            )

    with concurrent.futures.ThreadPoolExecutor(12) as executor:
        say(all(executor.map(work, range(300))))
    Base.metadata.drop_all(database)
    database.dispose()


main()
