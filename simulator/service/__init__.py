"""What each actor can do, one method a verb; each verb is one transaction."""
