//! Rows of `mail_days`: the mail of a day, per alias and for the whole team.

use diesel::prelude::*;

use crate::store::Tx;
use crate::store::backend::on_engine;
use crate::store::columns::Timestamp;
use crate::store::error::Result;
use crate::store::ids::{AliasId, TeamId};
use crate::store::prepared::Prepared;
use crate::store::schema::mail_days;

pub fn alias_key(alias: Option<AliasId>) -> Vec<u8> {
    alias.map(|alias| alias.bytes().to_vec()).unwrap_or_default()
}

pub fn add(
    tx: &mut Tx<'_>,
    (team, alias): (TeamId, Option<AliasId>),
    day: Timestamp,
    (delivered, blocked): (i64, i64),
) -> Result<()> {
    let row = (
        mail_days::team_id.eq(team),
        mail_days::alias_id.eq(alias_key(alias)),
        mail_days::day.eq(day),
        mail_days::delivered.eq(delivered),
        mail_days::blocked.eq(blocked),
    );
    on_engine!(&mut *tx.connection, inner => Prepared(diesel::insert_into(mail_days::table)
        .values(row)
        .on_conflict((mail_days::team_id, mail_days::alias_id, mail_days::day))
        .do_update()
        .set((
            mail_days::delivered.eq(mail_days::delivered + delivered),
            mail_days::blocked.eq(mail_days::blocked + blocked),
        ))
        .returning(mail_days::delivered))
        .load::<i64>(inner))?;
    Ok(())
}

pub fn forget(tx: &mut Tx<'_>, team: TeamId, day: Timestamp) -> Result<()> {
    let old = mail_days::table.filter(mail_days::team_id.eq(team).and(mail_days::day.lt(day)));
    diesel::delete(old).execute(tx.connection)?;
    Ok(())
}
